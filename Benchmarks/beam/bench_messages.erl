%% Rows: call, call-100-callers, call-from-plain-task (on the BEAM the same as call), the same in place
%% (which the BEAM has not, so that they are the same again), cast, ping-pong.
-module(bench_messages).
-export([call/1, call_100_callers/1, cast/1, ping_pong/1]).

call(N) ->
    {ok, Server} = bench_server:start(),
    Figure = bench_clock:per_operation(N, fun() -> calls(Server, N) end),
    gen_server:stop(Server),
    Figure.

call_100_callers(N) ->
    {ok, Server} = bench_server:start(),
    Figure = bench_clock:together(100, N, fun(_, Share) -> calls(Server, Share) end),
    gen_server:stop(Server),
    Figure.

calls(_, 0) ->
    ok;
calls(Server, N) ->
    0 = gen_server:call(Server, value),
    calls(Server, N - 1).

%% Counted until the last cast is handled, not only sent: the call at the end waits for that.
cast(N) ->
    {ok, Server} = bench_server:start(),
    Figure = bench_clock:per_operation(N, fun() ->
        casts(Server, N),
        N = gen_server:call(Server, value, infinity)
    end),
    gen_server:stop(Server),
    Figure.

casts(_, 0) ->
    ok;
casts(Server, N) ->
    gen_server:cast(Server, {add, 1}),
    casts(Server, N - 1).

ping_pong(N) ->
    Echo = spawn_link(fun echo/0),
    Figure = bench_clock:per_operation(N, fun() -> pings(Echo, N) end),
    unlink(Echo),
    exit(Echo, kill),
    Figure.

echo() ->
    receive
        {ping, From} ->
            From ! pong,
            echo()
    end.

pings(_, 0) ->
    ok;
pings(Echo, N) ->
    Echo ! {ping, self()},
    receive
        pong -> pings(Echo, N - 1)
    end.
