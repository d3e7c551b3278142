%% What every row measures with.
-module(bench_clock).
-export([per_operation/2, together/3]).

%% Nanoseconds of one of `N` operations that `Work` does in this process.
per_operation(N, Work) ->
    Start = erlang:monotonic_time(nanosecond),
    Work(),
    (erlang:monotonic_time(nanosecond) - Start) / N.

%% The same for work done by `Count` processes at once, from the common start to the last end.
together(Count, N, Work) ->
    Self = self(),
    Workers = [
        spawn_link(fun() ->
            receive
                go -> ok
            end,
            Work(Index, N div Count),
            Self ! {done, self()}
        end)
     || Index <- lists:seq(0, Count - 1)
    ],
    per_operation(N, fun() ->
        [Worker ! go || Worker <- Workers],
        [
            receive
                {done, Worker} -> ok
            end
         || Worker <- Workers
        ]
    end).
