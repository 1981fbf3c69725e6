# SPDX-License-Identifier: MIT
# fish completion for buildlog. The marked parts come from src/commands.tab: `make generated`.

# True where the name of the subcommand is still to come.
function __buildlog_first
    test (count (commandline -opc)) -eq 1
end

# The words before the cursor from run's first operand on: the command being recorded.
function __buildlog_recorded
    # generated: valued
    set -l valued --id --dir --user --project --req-id --label --name --timeout --idle-timeout --stall-timeout --on-stall --grace --linger --forward --redact --redact-rules --payload --tty --order --max-line --long-lines --frames --max-log --on-closed --sync
    # end of generated
    set -l words (commandline -opc)
    set -l i 3
    while test $i -le (count $words)
        switch $words[$i]
            case --
                set i (math $i + 1)
                break
            case '--*=*'
            case '-*'
                contains -- $words[$i] $valued; and set i (math $i + 1)
            case '*'
                break
        end
        set i (math $i + 1)
    end
    test $i -le (count $words); and printf '%s\n' $words[$i..-1]
end

# True behind the subcommand $argv[1], as long as the words are buildlog's own.
function __buildlog_at
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]; or return 1
    test $argv[1] != run; or test (count (__buildlog_recorded)) -eq 0
end

# What the store that the words name has to offer: __buildlog_ask ids|labels.
function __buildlog_ask
    set -l words (commandline -opc)
    set -l dir
    for i in (seq 3 (count $words))
        switch $words[$i]
            case --dir
                test $i -lt (count $words); and set dir --dir $words[(math $i + 1)]
            case '--dir=*'
                set dir --dir (string replace -- --dir= '' $words[$i])
        end
    end
    $words[1] ls -n 100 -o $argv[1] $dir 2>/dev/null
end

# The newest builds, each with how it stands and what it is as its description.
function __buildlog_ids
    __buildlog_ask ids | string replace -r '^([^\t]*\t[^\t]*)\t' '$1  '
end

# From its first word on, the command completes as it would alone.
function __buildlog_complete_recorded
    set -l recorded (__buildlog_recorded)
    set -l cur (commandline -ct)
    if test (count $recorded) -eq 0
        __fish_complete_command
    else
        complete -C "$(string escape -- $recorded | string join ' ') $cur"
    end
end

complete -c buildlog -f
complete -c buildlog -n __buildlog_first -l help -s h -d 'show help'
complete -c buildlog -n __buildlog_first -l version -d 'show the version'
# generated: commands
complete -c buildlog -n __buildlog_first -a run -d 'run a command and record its output'
complete -c buildlog -n __buildlog_first -a ls -d 'list builds and how they ended'
complete -c buildlog -n __buildlog_first -a info -d 'show what is known about one build'
complete -c buildlog -n __buildlog_first -a tail -d 'show the end of a build\'s output, or follow it'
complete -c buildlog -n __buildlog_first -a query -d 'find records by time, level, text and more'
complete -c buildlog -n __buildlog_first -a redact -d 'remove secrets from a stream, or look for them'
complete -c buildlog -n __buildlog_first -a redact-add -d 'tell the build that this runs in of a secret'
complete -c buildlog -n __buildlog_first -a errors -d 'show what went wrong in a build, the first cause first'
complete -c buildlog -n __buildlog_first -a show -d 'show a build within a budget, or any of its records'
complete -c buildlog -n __buildlog_first -a stats -d 'figures over many builds: failures, durations, the slowest'
complete -c buildlog -n __buildlog_first -a verify -d 'check that logs are whole and as they were written'
complete -c buildlog -n __buildlog_first -a replay -d 'show a build\'s output again, as fast as it came'
complete -c buildlog -n __buildlog_first -a export -d 'a build as a recording, a page or text'
complete -c buildlog -n __buildlog_first -a help -d 'explain a command'
# end of generated
complete -c buildlog -n 'test (count (commandline -opc)) -ge 2; and test (commandline -opc)[2] = run' -a '(__buildlog_complete_recorded)'
# generated: operands
complete -c buildlog -n '__buildlog_at info' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at tail' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at query' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at redact' -F
complete -c buildlog -n '__buildlog_at errors' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at show' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at verify' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at replay' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at export' -k -a 'last last-failed last-passed (__buildlog_ids)'
complete -c buildlog -n '__buildlog_at help' -a 'run ls info tail query redact redact-add errors show stats verify replay export help'
# end of generated
# generated: options
complete -c buildlog -n '__buildlog_at run' -l id -x -d 'the build\'s id (default: a fresh one)'
complete -c buildlog -n '__buildlog_at run' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at run' -l user -x -d 'userId of the start record'
complete -c buildlog -n '__buildlog_at run' -l project -x -d 'projectId of the start record'
complete -c buildlog -n '__buildlog_at run' -l req-id -x -d 'reqId of the start record'
complete -c buildlog -n '__buildlog_at run' -l label -x -a '(__buildlog_ask labels)' -d 'a label of the build (repeatable)'
complete -c buildlog -n '__buildlog_at run' -l name -x -d 'a name for the build, shown by ls'
complete -c buildlog -n '__buildlog_at run' -l timeout -x -d 'stop the command after this long (exit 124)'
complete -c buildlog -n '__buildlog_at run' -l idle-timeout -x -d 'stop it when it printed nothing for this long'
complete -c buildlog -n '__buildlog_at run' -l stall-timeout -x -d 'stop it when it said nothing new for this long'
complete -c buildlog -n '__buildlog_at run' -l on-stall -x -a 'kill report' -d 'what these two do (default kill)'
complete -c buildlog -n '__buildlog_at run' -l grace -x -d 'from asking it to stop to killing it (default 10s)'
complete -c buildlog -n '__buildlog_at run' -l linger -x -d 'how long background processes are still recorded (5s)'
complete -c buildlog -n '__buildlog_at run' -l forward -x -a 'redacted raw none' -d 'what the terminal gets (default redacted)'
complete -c buildlog -n '__buildlog_at run' -l redact -x -a 'on off' -d 'remove secrets from the log (default on)'
complete -c buildlog -n '__buildlog_at run' -l redact-generic -d 'also remove values that merely look like secrets'
complete -c buildlog -n '__buildlog_at run' -l redact-rules -r -d 'more redaction rules (repeatable)'
complete -c buildlog -n '__buildlog_at run' -l add-mask -d 'obey ::add-mask:: lines'
complete -c buildlog -n '__buildlog_at run' -l payload -x -a 'full none' -d 'none: record only the lengths of the lines'
complete -c buildlog -n '__buildlog_at run' -l tty -x -a 'auto always never' -d 'give the command a terminal (default auto)'
complete -c buildlog -n '__buildlog_at run' -l order -x -a 'arrival exact merge' -d 'how stdout and stderr are ordered (default arrival)'
complete -c buildlog -n '__buildlog_at run' -l max-line -x -d 'longest line kept whole (default 256k)'
complete -c buildlog -n '__buildlog_at run' -l long-lines -x -a 'truncate split' -d 'what happens to longer ones (default truncate)'
complete -c buildlog -n '__buildlog_at run' -l frames -x -a 'all last' -d 'which frames of a progress bar are recorded'
complete -c buildlog -n '__buildlog_at run' -l max-log -x -d 'end recording, not the command, at this size'
complete -c buildlog -n '__buildlog_at run' -l on-closed -x -a 'continue stop' -d 'when the reader of the output goes away'
complete -c buildlog -n '__buildlog_at run' -l require-log -d 'no log is a reason to fail (exit 125)'
complete -c buildlog -n '__buildlog_at run' -l sync -x -a 'none end always' -d 'when the log is flushed to the disk (default none)'
complete -c buildlog -n '__buildlog_at run' -l quiet -s q -d 'no note about secrets removed from the output'
complete -c buildlog -n '__buildlog_at run' -l verbose -s v -d 'say on stderr where the log is and how it ended'
complete -c buildlog -n '__buildlog_at run' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at ls' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at ls' -l status -x -a 'ok failed signaled timeout interrupted exec_failed running lost' -d 'only builds in this state (repeatable)'
complete -c buildlog -n '__buildlog_at ls' -l since -x -d 'only builds of this time or later'
complete -c buildlog -n '__buildlog_at ls' -l label -x -a '(__buildlog_ask labels)' -d 'only builds with this label (repeatable)'
complete -c buildlog -n '__buildlog_at ls' -l limit -s n -x -d 'only the newest N builds'
complete -c buildlog -n '__buildlog_at ls' -l output -s o -x -a 'table json ids labels' -d 'for people (default) or programs'
complete -c buildlog -n '__buildlog_at ls' -l color -x -a 'auto always never' -d 'when colours are used (default auto)'
complete -c buildlog -n '__buildlog_at ls' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at ls' -l json -d 'the same as -o json'
complete -c buildlog -n '__buildlog_at ls' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at info' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at info' -l output -s o -x -a 'text json' -d 'for people (default) or programs'
complete -c buildlog -n '__buildlog_at info' -l color -x -a 'auto always never' -d 'when colours are used (default auto)'
complete -c buildlog -n '__buildlog_at info' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at info' -l json -d 'the same as -o json'
complete -c buildlog -n '__buildlog_at info' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at tail' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at tail' -l follow -s f -d 'go on until the build ends'
complete -c buildlog -n '__buildlog_at tail' -l lines -s n -x -d 'the last N lines (default 20); +N: from line N on'
complete -c buildlog -n '__buildlog_at tail' -l bytes -x -d 'the last BYTES of output, in whole lines'
complete -c buildlog -n '__buildlog_at tail' -l after-seq -x -d 'only records with a number above N'
complete -c buildlog -n '__buildlog_at tail' -l src -x -a 'stdout stderr merged' -d 'only this stream (repeatable)'
complete -c buildlog -n '__buildlog_at tail' -l level -s l -x -a 'trace debug info warn error fatal' -d 'this level or worse'
complete -c buildlog -n '__buildlog_at tail' -l grep -s g -x -d 'lines that this expression matches (repeatable)'
complete -c buildlog -n '__buildlog_at tail' -l ignore-case -s i -d 'for -g, letters match in either case'
complete -c buildlog -n '__buildlog_at tail' -l output -s o -x -a 'pretty raw jsonl' -d 'how it is shown (default pretty)'
complete -c buildlog -n '__buildlog_at tail' -l json -d 'the same as -o jsonl'
complete -c buildlog -n '__buildlog_at tail' -l exit-status -d 'exit with the build\'s own status'
complete -c buildlog -n '__buildlog_at tail' -l color -x -a 'auto always never' -d 'when colours are used (default auto)'
complete -c buildlog -n '__buildlog_at tail' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at tail' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at query' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at query' -l date -x -d 'records of that local day'
complete -c buildlog -n '__buildlog_at query' -l since -x -d 'records of this time or later'
complete -c buildlog -n '__buildlog_at query' -l until -x -d 'records from before this time'
complete -c buildlog -n '__buildlog_at query' -l src -x -a 'stdout stderr merged' -d 'lines of this stream (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l level -s l -x -a 'trace debug info warn error fatal' -d 'this level or worse'
complete -c buildlog -n '__buildlog_at query' -l event -x -d 'events of this name (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l status -x -a 'ok failed signaled timeout interrupted exec_failed running lost' -d 'of builds in this state (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l label -x -d 'of builds with this label (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l tool -x -d 'builds and events of this tool (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l session -x -d 'builds and events of this session (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l word -s k -x -d 'lines that contain this text (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l grep -s g -x -d 'lines that this expression matches (repeatable)'
complete -c buildlog -n '__buildlog_at query' -l ignore-case -s i -d 'for -g, letters match in either case'
complete -c buildlog -n '__buildlog_at query' -l fuzzy -x -d '-k and -g match with up to N changes'
complete -c buildlog -n '__buildlog_at query' -l best -d 'with --fuzzy, the best matches first'
complete -c buildlog -n '__buildlog_at query' -l after-context -s A -x -d 'also N records after each match'
complete -c buildlog -n '__buildlog_at query' -l before-context -s B -x -d 'also N records before each match'
complete -c buildlog -n '__buildlog_at query' -l context -s C -x -d 'also N records before and after each match'
complete -c buildlog -n '__buildlog_at query' -l limit -x -d 'at most N matches'
complete -c buildlog -n '__buildlog_at query' -l reverse -s r -d 'the newest first'
complete -c buildlog -n '__buildlog_at query' -l count -s c -d 'only how many there are'
complete -c buildlog -n '__buildlog_at query' -l output -s o -x -a 'table text json jsonl summary' -d 'for people (default) or programs'
complete -c buildlog -n '__buildlog_at query' -l color -x -a 'auto always never' -d 'when colours are used (default auto)'
complete -c buildlog -n '__buildlog_at query' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at query' -l json -d 'the same as -o json'
complete -c buildlog -n '__buildlog_at query' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at redact' -l check -d 'print nothing, exit with 1 if there is a secret'
complete -c buildlog -n '__buildlog_at redact' -l report -d 'say what was found, and where'
complete -c buildlog -n '__buildlog_at redact' -l list -d 'list all rules, and the variables whose values count'
complete -c buildlog -n '__buildlog_at redact' -l output -s o -x -a 'text json' -d 'the report or list for people (default) or programs'
complete -c buildlog -n '__buildlog_at redact' -l on -x -d 'switch a rule or a group on (repeatable)'
complete -c buildlog -n '__buildlog_at redact' -l off -x -d 'switch a rule or a group off (repeatable)'
complete -c buildlog -n '__buildlog_at redact' -l generic -d 'the same as --redact-generic'
complete -c buildlog -n '__buildlog_at redact' -l redact-generic -d 'also remove values that merely look like secrets'
complete -c buildlog -n '__buildlog_at redact' -l redact-rules -r -d 'more redaction rules (repeatable)'
complete -c buildlog -n '__buildlog_at redact' -l verbose -s v -d 'say how much was found in each file'
complete -c buildlog -n '__buildlog_at redact' -l json -d 'the same as -o json'
complete -c buildlog -n '__buildlog_at redact' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at redact-add' -l lines -d 'every line of standard input is a value'
complete -c buildlog -n '__buildlog_at redact-add' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at errors' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at errors' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at errors' -l json -d 'the same as -o json'
complete -c buildlog -n '__buildlog_at errors' -l output -s o -x -a 'text json github junit' -d 'for people (default) or programs'
complete -c buildlog -n '__buildlog_at errors' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at show' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at show' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at show' -l seq -x -d 'these records: A, A-B, or A- to the end'
complete -c buildlog -n '__buildlog_at show' -l budget -x -d 'how long the output may be (default 16k)'
complete -c buildlog -n '__buildlog_at show' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at stats' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at stats' -l since -x -d 'only builds of this time or later'
complete -c buildlog -n '__buildlog_at stats' -l name -x -d 'only builds of this name'
complete -c buildlog -n '__buildlog_at stats' -l output -s o -x -a 'text json' -d 'for people (default) or programs'
complete -c buildlog -n '__buildlog_at stats' -l color -x -a 'auto always never' -d 'when colours are used (default auto)'
complete -c buildlog -n '__buildlog_at stats' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at stats' -l json -d 'the same as -o json'
complete -c buildlog -n '__buildlog_at stats' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at verify' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at verify' -l output -s o -x -a 'text json' -d 'for people (default) or programs'
complete -c buildlog -n '__buildlog_at verify' -l color -x -a 'auto always never' -d 'when colours are used (default auto)'
complete -c buildlog -n '__buildlog_at verify' -l verbose -s v -d 'say how this process confines itself'
complete -c buildlog -n '__buildlog_at verify' -l json -d 'the same as -o json'
complete -c buildlog -n '__buildlog_at verify' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at replay' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at replay' -l color -x -a 'auto always never' -d 'when colours are used (default auto)'
complete -c buildlog -n '__buildlog_at replay' -l speed -x -d 'N times as fast, or max: at once'
complete -c buildlog -n '__buildlog_at replay' -l idle-limit -x -d 'no pause is longer than this'
complete -c buildlog -n '__buildlog_at replay' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at export' -l dir -x -a '(__fish_complete_directories)' -d 'the store (default: see buildlog(5))'
complete -c buildlog -n '__buildlog_at export' -l output -s o -x -a 'asciicast asciicast-v3 html text' -d 'which format (default asciicast)'
complete -c buildlog -n '__buildlog_at export' -l size -x -d 'the size of the recording\'s terminal (80x24)'
complete -c buildlog -n '__buildlog_at export' -l help -s h -d 'show this help'
complete -c buildlog -n '__buildlog_at help' -l help -s h -d 'show this help'
# end of generated
