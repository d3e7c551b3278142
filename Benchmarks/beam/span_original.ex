defmodule SpanOriginal do
  @moduledoc """
  The GenServer + ETS span manager that Arbor's is measured against.

  One server owns a table of span stacks and monitors every process that has spans open. Every
  push and every pop is a call; a push makes sure that its process is monitored by looking
  through all monitors for its PID, and so does whatever takes a stack away. Reads go to the
  table. Written for this comparison after the description of the original in Arbor's design.
  """
  use GenServer

  @stacks :span_original_stacks
  @monitors :span_original_monitors
  @handlers :span_original_handlers

  def start, do: GenServer.start(__MODULE__, [], name: __MODULE__)
  def stop, do: GenServer.stop(__MODULE__, :normal, :infinity)

  def start_span(name, metadata) do
    parent = current_span()

    span = %{
      id: make_ref(),
      name: name,
      start_time: System.monotonic_time(),
      metadata: metadata,
      parent_id: parent && parent.id,
      trace_id: (parent && parent.trace_id) || new_trace_id()
    }

    :ok = GenServer.call(__MODULE__, {:push, self(), span}, :infinity)

    execute(
      [:foundation, :span, :start],
      %{timestamp: System.system_time()},
      Map.merge(metadata, %{
        span_id: span.id,
        span_name: name,
        parent_id: span.parent_id,
        trace_id: span.trace_id
      })
    )

    span.id
  end

  def end_span do
    span = GenServer.call(__MODULE__, {:pop, self()}, :infinity)

    execute(
      [:foundation, :span, :stop],
      %{duration: System.monotonic_time() - span.start_time, timestamp: System.system_time()},
      Map.merge(span.metadata, %{
        span_id: span.id,
        span_name: span.name,
        parent_id: span.parent_id,
        trace_id: span.trace_id,
        status: :ok
      })
    )
  end

  def current_span, do: List.first(stack(self()))

  def open_stacks, do: :ets.info(@stacks, :size)

  @impl true
  def init(_) do
    :ets.new(@stacks, [:named_table, :public, :set, read_concurrency: true])
    :ets.new(@monitors, [:named_table, :private, :set])
    :ets.new(@handlers, [:named_table, :public, :bag, read_concurrency: true])
    {:ok, nil}
  end

  @impl true
  def handle_call({:push, pid, span}, _from, state) do
    if monitors_of(pid) == [] do
      :ets.insert(@monitors, {Process.monitor(pid), pid})
    end

    :ets.insert(@stacks, {pid, [span | stack(pid)]})
    {:reply, :ok, state}
  end

  def handle_call({:pop, pid}, _from, state) do
    [span | rest] = stack(pid)
    if rest == [], do: forget(pid), else: :ets.insert(@stacks, {pid, rest})
    {:reply, span, state}
  end

  @impl true
  def handle_info({:DOWN, _ref, :process, pid, _reason}, state) do
    forget(pid)
    {:noreply, state}
  end

  defp stack(pid) do
    case :ets.lookup(@stacks, pid) do
      [{_, spans}] -> spans
      [] -> []
    end
  end

  defp forget(pid) do
    :ets.delete(@stacks, pid)

    for {ref, _} <- monitors_of(pid) do
      Process.demonitor(ref, [:flush])
      :ets.delete(@monitors, ref)
    end
  end

  # The fault that makes every push dear: the monitors are kept by reference, and searched by PID.
  defp monitors_of(pid), do: :ets.match_object(@monitors, {:_, pid})

  # An event without handlers, as a telemetry library does it: one look at the handler table.
  defp execute(event, measurements, metadata) do
    for {_, handler} <- :ets.lookup(@handlers, event), do: handler.(event, measurements, metadata)
    :ok
  end

  defp new_trace_id, do: Base.encode16(:crypto.strong_rand_bytes(16), case: :lower)
end
