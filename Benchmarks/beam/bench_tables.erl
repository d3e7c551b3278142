%% Rows: lookup, lookup-2, insert, insert-2, update-counter.
%%
%% A public set. Each row has the options that make it fastest here, so that the peer is at its best:
%% none, but `write_concurrency` where two processes write. (With it a lookup by one process costs
%% 0.37 us instead of 0.17; without it two writers cost 0.3 to 3 us instead of 0.12.) The keys are
%% walked with a stride prime to their number, so that neighbours in time are not neighbours in memory.
-module(bench_tables).
-export([lookup/2, insert/2, update_counter/1]).

-define(KEYS, 65536).
-define(STRIDE, 40503).

lookup(Count, N) ->
    Table = filled([]),
    bench_clock:together(Count, N, fun(Index, Share) -> lookups(Table, start(Index), Share) end).

lookups(_, _, 0) ->
    ok;
lookups(Table, Key, N) ->
    [{Key, _}] = ets:lookup(Table, Key),
    lookups(Table, next(Key), N - 1).

insert(Count, N) ->
    Table = filled([{write_concurrency, Count > 1}]),
    bench_clock:together(Count, N, fun(Index, Share) -> inserts(Table, start(Index), Share) end).

inserts(_, _, 0) ->
    ok;
inserts(Table, Key, N) ->
    true = ets:insert(Table, {Key, N}),
    inserts(Table, next(Key), N - 1).

update_counter(N) ->
    Table = filled([]),
    bench_clock:per_operation(N, fun() -> updates(Table, N) end).

updates(_, 0) ->
    ok;
updates(Table, N) ->
    _ = ets:update_counter(Table, 1, 1),
    updates(Table, N - 1).

%% The table dies with the round's process.
filled(Options) ->
    Table = ets:new(bench, [set, public | Options]),
    [ets:insert(Table, {Key, Key}) || Key <- lists:seq(0, ?KEYS - 1)],
    Table.

start(Index) -> Index * (?KEYS div 2).

next(Key) -> (Key + ?STRIDE) band (?KEYS - 1).
