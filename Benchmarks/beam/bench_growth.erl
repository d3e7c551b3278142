%% What `Benchmarks/compare --growth` asks for beside the rows: a crowd of idle processes around
%% them, mailboxes of a depth, and servers by the million.
%%
%% Rows: crowd, servers-start, servers-bytes, servers-call, servers-stop, call-deep, receive-deep,
%% skip-deep, kill-deep.
-module(bench_growth).
-export([crowd/1, servers_start/1, servers_bytes/1, servers_call/1, servers_stop/1]).
-export([call_deep/1, receive_deep/1, skip_deep/1, kill_deep/1]).

-define(CALLS, 10000).

%% Makes it so that this many idle processes stand around. The bytes of one.
crowd(N) ->
    kill_all(persistent_term:get(crowd, [])),
    persistent_term:put(crowd, []),
    garbage_collect(),
    Indices = lists:seq(1, N),
    Before = erlang:memory(total),
    Crowd = [
        spawn(fun() ->
            receive
                go -> ok
            end
        end)
     || _ <- Indices
    ],
    Figure = (erlang:memory(total) - Before) / max(N, 1),
    persistent_term:put(crowd, Crowd),
    Figure.

kill_all(Pids) ->
    [exit(Pid, kill) || Pid <- Pids],
    [
        begin
            Ref = monitor(process, Pid),
            receive
                {'DOWN', Ref, process, Pid, _} -> ok
            end
        end
     || Pid <- Pids
    ].

servers_start(N) ->
    Indices = lists:seq(1, N),
    garbage_collect(),
    Before = erlang:memory(total),
    Start = erlang:monotonic_time(nanosecond),
    Servers = [element(2, bench_server:start()) || _ <- Indices],
    Figure = (erlang:monotonic_time(nanosecond) - Start) / N,
    garbage_collect(),
    persistent_term:put(server_bytes, erlang:memory(total) - Before),
    persistent_term:put(servers, Servers),
    Figure.

%% What those that were started last have taken, for each.
servers_bytes(N) -> persistent_term:get(server_bytes) / N.

servers_call(N) ->
    Servers = persistent_term:get(servers),
    bench_clock:per_operation(N, fun() ->
        [0 = gen_server:call(Server, value) || Server <- Servers]
    end).

servers_stop(N) ->
    Servers = persistent_term:get(servers),
    persistent_term:erase(servers),
    bench_clock:per_operation(N, fun() ->
        [ok = gen_server:stop(Server) || Server <- Servers]
    end).

%% Calls whose caller has so much mail.
call_deep(Depth) ->
    {ok, Server} = bench_server:start(),
    fill(self(), Depth),
    Figure = bench_clock:per_operation(?CALLS, fun() ->
        [0 = gen_server:call(Server, value) || _ <- lists:seq(1, ?CALLS)]
    end),
    gen_server:stop(Server),
    Figure.

%% Taking all of so much mail, in order.
receive_deep(Depth) ->
    fill(self(), Depth),
    bench_clock:per_operation(Depth, fun() -> take(Depth) end).

take(0) ->
    ok;
take(Depth) ->
    receive
        {filler, Depth} -> take(Depth - 1)
    end.

%% A receive that looks past so much mail: the time for each that it leaves.
skip_deep(Depth) ->
    fill(self(), Depth),
    self() ! last,
    bench_clock:per_operation(Depth, fun() ->
        receive
            last -> ok
        end
    end).

%% A process with so much mail is killed: the time for each until its DOWN.
kill_deep(Depth) ->
    {Pid, Ref} = spawn_monitor(fun() ->
        receive
            go -> ok
        end
    end),
    fill(Pid, Depth),
    bench_clock:per_operation(Depth, fun() ->
        exit(Pid, kill),
        receive
            {'DOWN', Ref, process, Pid, _} -> ok
        end
    end).

fill(_, 0) ->
    ok;
fill(Pid, Depth) ->
    Pid ! {filler, Depth},
    fill(Pid, Depth - 1).
