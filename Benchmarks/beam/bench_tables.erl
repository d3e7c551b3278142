%% Rows: lookup, lookup-2, insert, insert-2, update-counter, and the mixes.
%%
%% A public set. Each row has the options that make it fastest here, so that the peer is at its best:
%% none, but `write_concurrency` where two processes write. (With it a lookup by one process costs
%% 0.37 us instead of 0.17; without it two writers cost 0.3 to 3 us instead of 0.12.) The keys are
%% walked with a stride prime to their number, so that neighbours in time are not neighbours in memory.
-module(bench_tables).
-export([lookup/2, insert/2, update_counter/1, mix/3]).

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

%% Of a hundred operations so many inserts and deletes; the rest are lookups. Keys at random, half of
%% which are there.
mix({Inserts, Deletes}, Count, N) ->
    Table = ets:new(bench, [set, public | mix_options(Inserts, Count)]),
    [ets:insert(Table, {Key, Key}) || Key <- lists:seq(0, ?KEYS - 1, 2)],
    bench_clock:together(Count, N, fun(Index, Share) ->
        Found = mixed(Table, Inserts, Inserts + Deletes, 12345 + Index * 6700417, Share, 0),
        true = Inserts + Deletes =:= 100 orelse Found > 0
    end).

%% What is fastest here: only where two do nothing but write is a finer lock worth its price.
mix_options(Inserts, 2) when Inserts >= 50 -> [{write_concurrency, auto}];
mix_options(_, _) -> [].

mixed(_, _, _, _, 0, Found) ->
    Found;
mixed(Table, Inserts, Writes, State, N, Found) ->
    One = draw(State),
    Two = draw(One),
    Key = (One bsr 8) rem ?KEYS,
    case (Two bsr 8) rem 100 of
        Choice when Choice < Inserts ->
            true = ets:insert(Table, {Key, Key}),
            mixed(Table, Inserts, Writes, Two, N - 1, Found);
        Choice when Choice < Writes ->
            true = ets:delete(Table, Key),
            mixed(Table, Inserts, Writes, Two, N - 1, Found);
        _ ->
            case ets:lookup(Table, Key) of
                [_] -> mixed(Table, Inserts, Writes, Two, N - 1, Found + 1);
                [] -> mixed(Table, Inserts, Writes, Two, N - 1, Found)
            end
    end.

draw(State) -> (State * 214013 + 2531011) band 16#FFFFFFF.

%% The table dies with the round's process.
filled(Options) ->
    Table = ets:new(bench, [set, public | Options]),
    [ets:insert(Table, {Key, Key}) || Key <- lists:seq(0, ?KEYS - 1)],
    Table.

start(Index) -> Index * (?KEYS div 2).

next(Key) -> (Key + ?STRIDE) band (?KEYS - 1).
