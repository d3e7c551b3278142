%% Rows: span-child, span-child-10k-clients, span-current, span-cleanup-10k, on the GenServer + ETS original.
-module(bench_spans).
-export([child/2, current/1, cleanup/1]).

%% Start and end a child of an open span, with one attribute, while `Clients` other processes have a span open too.
child(N, Clients) ->
    {ok, _} = 'Elixir.SpanOriginal':start(),
    Others = clients(Clients),
    'Elixir.SpanOriginal':start_span(root, #{}),
    Figure = bench_clock:per_operation(N, fun() -> children(N) end),
    'Elixir.SpanOriginal':end_span(),
    'Elixir.SpanOriginal':stop(),
    [exit(Pid, kill) || Pid <- Others],
    Figure.

children(0) ->
    ok;
children(N) ->
    'Elixir.SpanOriginal':start_span(child, #{cart => N}),
    'Elixir.SpanOriginal':end_span(),
    children(N - 1).

%% Ask which span is open.
current(N) ->
    {ok, _} = 'Elixir.SpanOriginal':start(),
    'Elixir.SpanOriginal':start_span(root, #{}),
    Figure = bench_clock:per_operation(N, fun() -> currents(N) end),
    'Elixir.SpanOriginal':end_span(),
    'Elixir.SpanOriginal':stop(),
    Figure.

currents(0) ->
    ok;
currents(N) ->
    #{name := root} = 'Elixir.SpanOriginal':current_span(),
    currents(N - 1).

%% `N` processes with one open span each are killed; the figure is the whole time, in nanoseconds,
%% until the manager has taken the last of their stacks away.
cleanup(N) ->
    {ok, _} = 'Elixir.SpanOriginal':start(),
    Clients = clients(N),
    N = 'Elixir.SpanOriginal':open_stacks(),
    Figure = bench_clock:per_operation(1, fun() ->
        [exit(Pid, kill) || Pid <- Clients],
        wait_until_empty()
    end),
    'Elixir.SpanOriginal':stop(),
    Figure.

%% The manager has no way to say when it is done, so its table is looked at: by a process that
%% sleeps in between, or it would take one of the schedulers away.
wait_until_empty() ->
    case 'Elixir.SpanOriginal':open_stacks() of
        0 ->
            ok;
        _ ->
            receive
            after 1 -> wait_until_empty()
            end
    end.

clients(N) ->
    Self = self(),
    Pids = [
        spawn(fun() ->
            'Elixir.SpanOriginal':start_span(root, #{}),
            Self ! {open, self()},
            receive
            after infinity -> ok
            end
        end)
     || _ <- lists:seq(1, N)
    ],
    [
        receive
            {open, Pid} -> Pid
        end
     || Pid <- Pids
    ].
