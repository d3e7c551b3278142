%% Rows: spawn-monitor-down, start-server, server-bytes, kill-down, timer-add-cancel, restart,
%% stop-children.
-module(bench_lifecycle).
-behaviour(supervisor).
-export([spawn_monitor_down/1, start_server/1, server_bytes/1, kill_down/1]).
-export([timer_add_cancel/1, restart/1, stop_children/1]).
-export([init/1]).

spawn_monitor_down(N) ->
    bench_clock:per_operation(N, fun() -> spawns(N) end).

spawns(0) ->
    ok;
spawns(N) ->
    {Pid, Ref} = spawn_monitor(fun() -> ok end),
    receive
        {'DOWN', Ref, process, Pid, normal} -> spawns(N - 1)
    end.

start_server(N) ->
    Start = erlang:monotonic_time(nanosecond),
    Servers = servers(N),
    Figure = (erlang:monotonic_time(nanosecond) - Start) / N,
    kill_all(Servers),
    Figure.

servers(N) ->
    [
        begin
            {ok, Server} = bench_server:start(),
            Server
        end
     || _ <- lists:seq(1, N)
    ].

kill_all(Servers) ->
    [
        begin
            Ref = monitor(process, Server),
            exit(Server, kill),
            receive
                {'DOWN', Ref, process, Server, _} -> ok
            end
        end
     || Server <- Servers
    ].

%% Bytes that the emulator has allocated for each of `N` idle servers.
server_bytes(N) ->
    Indices = lists:seq(1, N),
    Before = allocated(),
    Servers = [element(2, bench_server:start()) || _ <- Indices],
    Figure = (allocated() - Before) / N,
    kill_all(Servers),
    Figure.

allocated() ->
    garbage_collect(),
    erlang:memory(total).

kill_down(N) ->
    Servers = servers(N),
    bench_clock:per_operation(N, fun() -> kill_all(Servers) end).

timer_add_cancel(N) ->
    bench_clock:per_operation(N, fun() -> timers(N) end).

timers(0) ->
    ok;
timers(N) ->
    Ref = erlang:start_timer(60000, self(), expired),
    _ = erlang:cancel_timer(Ref),
    timers(N - 1).

%% From the kill of a supervised server to the next incarnation's init.
restart(N) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, self()),
    receive
        {up, First} -> ok
    end,
    Figure = bench_clock:per_operation(N, fun() -> restarts(First, N) end),
    unlink(Supervisor),
    Ref = monitor(process, Supervisor),
    exit(Supervisor, shutdown),
    receive
        {'DOWN', Ref, process, Supervisor, _} -> ok
    end,
    Figure.

restarts(_, 0) ->
    ok;
restarts(Server, N) ->
    exit(Server, kill),
    receive
        {up, Next} -> restarts(Next, N - 1)
    end.

%% The end of a supervisor with `N` children, for each of them.
stop_children(N) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, many),
    [{ok, _} = supervisor:start_child(Supervisor, []) || _ <- lists:seq(1, N)],
    unlink(Supervisor),
    bench_clock:per_operation(N, fun() -> gen_server:stop(Supervisor, shutdown, infinity) end).

init(many) ->
    Server = #{
        id => server,
        start => {gen_server, start_link, [bench_server, [], []]},
        restart => temporary
    },
    {ok, {#{strategy => simple_one_for_one}, [Server]}};
init(Watcher) ->
    Flags = #{strategy => one_for_one, intensity => 1000000000, period => 1},
    {ok, {Flags, [#{id => server, start => {bench_server, start_link, [Watcher]}}]}}.
