%% The server that the rows call, cast to, start and kill.
-module(bench_server).
-behaviour(gen_server).
-export([start/0, start_link/1]).
-export([init/1, handle_call/3, handle_cast/2]).

start() -> gen_server:start(?MODULE, [], []).

%% Tells `Watcher` when it is up: that is how `restart` sees the next incarnation.
start_link(Watcher) -> gen_server:start_link(?MODULE, [Watcher], []).

init([]) ->
    {ok, 0};
init([Watcher]) ->
    Watcher ! {up, self()},
    {ok, 0}.

handle_call(value, _From, Value) -> {reply, Value, Value}.

handle_cast({add, N}, Value) -> {noreply, Value + N}.
