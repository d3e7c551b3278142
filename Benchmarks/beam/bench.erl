%% The BEAM's side of the benchmarks: which rows there are, and how they are asked for.
%%
%%   bench:main(["--serve"])            reads "NAME OPS" lines, answers each with "NAME NS"
%%   bench:main(["--rounds", "5", ...]) runs the named rows (all, if none is named)
%%
%% NS is the nanoseconds of one operation in one round; server-bytes answers bytes.
-module(bench).
-export([main/1, rows/0]).

%% Name, operations of one round, what runs them. The harness sends its own count of operations,
%% so that both sides do the same work; these counts are for use by hand.
rows() ->
    [
        {'call', 100000, fun bench_messages:call/1},
        {'call-100-callers', 100000, fun bench_messages:call_100_callers/1},
        {'call-from-plain-task', 100000, fun bench_messages:call/1},
        {'call-in-place', 100000, fun bench_messages:call/1},
        {'call-in-place-100-callers', 100000, fun bench_messages:call_100_callers/1},
        {'call-in-place-plain-task', 100000, fun bench_messages:call/1},
        {'cast', 300000, fun bench_messages:cast/1},
        {'ping-pong', 200000, fun bench_messages:ping_pong/1},
        {'spawn-monitor-down', 100000, fun bench_lifecycle:spawn_monitor_down/1},
        {'start-server', 20000, fun bench_lifecycle:start_server/1},
        {'server-bytes', 20000, fun bench_lifecycle:server_bytes/1},
        {'kill-down', 20000, fun bench_lifecycle:kill_down/1},
        {'lookup', 500000, fun(N) -> bench_tables:lookup(1, N) end},
        {'lookup-2', 500000, fun(N) -> bench_tables:lookup(2, N) end},
        {'insert', 500000, fun(N) -> bench_tables:insert(1, N) end},
        {'insert-2', 500000, fun(N) -> bench_tables:insert(2, N) end},
        {'update-counter', 1000000, fun bench_tables:update_counter/1},
        {'mix-50-50-0', 500000, fun(N) -> bench_tables:mix({50, 50}, 1, N) end},
        {'mix-50-50-0-2', 500000, fun(N) -> bench_tables:mix({50, 50}, 2, N) end},
        {'mix-10-10-80', 500000, fun(N) -> bench_tables:mix({10, 10}, 1, N) end},
        {'mix-10-10-80-2', 500000, fun(N) -> bench_tables:mix({10, 10}, 2, N) end},
        {'mix-1-1-98', 500000, fun(N) -> bench_tables:mix({1, 1}, 1, N) end},
        {'mix-1-1-98-2', 500000, fun(N) -> bench_tables:mix({1, 1}, 2, N) end},
        {'mix-0-0-100', 500000, fun(N) -> bench_tables:mix({0, 0}, 1, N) end},
        {'mix-0-0-100-2', 500000, fun(N) -> bench_tables:mix({0, 0}, 2, N) end},
        {'span-child', 20000, fun(N) -> bench_spans:child(N, 0) end},
        {'span-child-10k-clients', 400, fun(N) -> bench_spans:child(N, 10000) end},
        {'span-current', 50000, fun bench_spans:current/1},
        {'span-cleanup-10k', 10000, fun bench_spans:cleanup/1},
        {'timer-add-cancel', 200000, fun bench_lifecycle:timer_add_cancel/1},
        {'restart', 500, fun bench_lifecycle:restart/1},
        {'stop-children', 100000, fun bench_lifecycle:stop_children/1}
    ].

%% What is asked for beside the rows, and by the harness only.
growth() ->
    [
        {'crowd', 10000, fun bench_growth:crowd/1},
        {'servers-start', 10000, fun bench_growth:servers_start/1},
        {'servers-bytes', 10000, fun bench_growth:servers_bytes/1},
        {'servers-call', 10000, fun bench_growth:servers_call/1},
        {'servers-stop', 10000, fun bench_growth:servers_stop/1},
        {'call-deep', 10000, fun bench_growth:call_deep/1},
        {'receive-deep', 10000, fun bench_growth:receive_deep/1},
        {'skip-deep', 10000, fun bench_growth:skip_deep/1},
        {'kill-deep', 10000, fun bench_growth:kill_deep/1}
    ].

main(["--serve"]) ->
    quiet(),
    serve();
main(["--rounds", Rounds | Names]) ->
    quiet(),
    Wanted = [list_to_atom(N) || N <- Names],
    [
        report(Name, median(Name, Ops, list_to_integer(Rounds), Run))
     || {Name, Ops, Run} <- rows(), Wanted =:= [] orelse lists:member(Name, Wanted)
    ],
    halt(0);
main(Names) ->
    main(["--rounds", "5" | Names]).

serve() ->
    case io:get_line("") of
        eof ->
            halt(0);
        Line ->
            [Name, Ops] = string:lexemes(string:trim(Line), " "),
            {Row, _, Run} = lists:keyfind(list_to_atom(Name), 1, rows() ++ growth()),
            report(Row, round_of(Run, list_to_integer(Ops))),
            serve()
    end.

%% The first round warms up and is not counted.
median(_Name, Ops, Rounds, Run) ->
    round_of(Run, Ops),
    Sorted = lists:sort([round_of(Run, Ops) || _ <- lists:seq(1, Rounds)]),
    lists:nth((Rounds + 1) div 2, Sorted).

%% Each round has a process of its own, so that none inherits another's heap or mail.
round_of(Run, Ops) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({figure, Run(Ops)}) end),
    receive
        {'DOWN', Ref, process, Pid, {figure, Figure}} -> Figure;
        {'DOWN', Ref, process, Pid, Reason} -> error(Reason)
    end.

report(Name, Figure) ->
    io:format("~s ~.3f~n", [Name, Figure / 1]).

%% A supervisor's crash reports would otherwise be most of what `restart` costs.
quiet() ->
    logger:set_primary_config(level, none).
