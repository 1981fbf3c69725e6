# SPDX-License-Identifier: MIT
# bash completion for buildlog. The marked parts come from src/commands.tab: `make generated`.
# shellcheck shell=bash

# Sets options, valued (those that take a value) and operands for the subcommand $1.
_buildlog_table()
{
    options='' valued=' ' operands=''
    case $1 in
    # generated: options
    run)
        options='--id --dir --user --project --req-id --label --name --timeout --idle-timeout --grace --linger --forward --redact --redact-generic --redact-rules --add-mask --payload --tty --order --max-line --long-lines --max-log --on-closed --require-log --sync --quiet -q --verbose -v --help -h'
        valued=' --id --dir --user --project --req-id --label --name --timeout --idle-timeout --grace --linger --forward --redact --redact-rules --payload --tty --order --max-line --long-lines --max-log --on-closed --sync '
        operands='command'
        ;;
    ls)
        options='--dir --status --limit -n --output -o --json --help -h'
        valued=' --dir --status --limit -n --output -o '
        operands=''
        ;;
    info)
        options='--dir --output -o --json --help -h'
        valued=' --dir --output -o '
        operands='id'
        ;;
    tail)
        options='--dir --follow -f --lines -n --src --output -o --exit-status --help -h'
        valued=' --dir --lines -n --src --output -o '
        operands='id'
        ;;
    query)
        options='--dir --date --since --until --src --level -l --event --status --label --tool --session --word -k --grep -g --ignore-case -i --fuzzy --best --after-context -A --before-context -B --context -C --limit --reverse -r --count -c --output -o --color --json --help -h'
        valued=' --dir --date --since --until --src --level -l --event --status --label --tool --session --word -k --grep -g --fuzzy --after-context -A --before-context -B --context -C --limit --output -o --color '
        operands='id'
        ;;
    redact)
        options='--check --report --list --output -o --on --off --generic --redact-generic --redact-rules --verbose -v --json --help -h'
        valued=' --output -o --on --off --redact-rules '
        operands='file'
        ;;
    redact-add)
        options='--lines --help -h'
        valued=' '
        operands=''
        ;;
    errors)
        options='--dir --json --output -o --help -h'
        valued=' --dir --output -o '
        operands='id'
        ;;
    show)
        options='--dir --seq --budget --help -h'
        valued=' --dir --seq --budget '
        operands='id'
        ;;
    help)
        options='--help -h'
        valued=' '
        operands='topic'
        ;;
    # end of generated
    esac
}

# Sets source, the arguments of compgen, for the value of option $2 of subcommand $1.
_buildlog_source()
{
    source=(-W '')
    case $1:$2 in
    # generated: values
    run:--dir) source=(-d) ;;
    run:--forward) source=(-W 'redacted raw none') ;;
    run:--redact) source=(-W 'on off') ;;
    run:--redact-rules) source=(-f) ;;
    run:--payload) source=(-W 'full none') ;;
    run:--tty) source=(-W 'never') ;;
    run:--order) source=(-W 'arrival merge') ;;
    run:--long-lines) source=(-W 'truncate split') ;;
    run:--on-closed) source=(-W 'continue stop') ;;
    run:--sync) source=(-W 'none end always') ;;
    ls:--dir) source=(-d) ;;
    ls:--status) source=(-W 'ok failed signaled timeout interrupted exec_failed running lost') ;;
    ls:--output | ls:-o) source=(-W 'table json') ;;
    info:--dir) source=(-d) ;;
    info:--output | info:-o) source=(-W 'text json') ;;
    tail:--dir) source=(-d) ;;
    tail:--src) source=(-W 'stdout stderr merged') ;;
    tail:--output | tail:-o) source=(-W 'pretty raw jsonl') ;;
    query:--dir) source=(-d) ;;
    query:--src) source=(-W 'stdout stderr merged') ;;
    query:--level | query:-l) source=(-W 'trace debug info warn error fatal') ;;
    query:--status) source=(-W 'ok failed signaled timeout interrupted exec_failed running lost') ;;
    query:--output | query:-o) source=(-W 'table text json jsonl summary') ;;
    query:--color) source=(-W 'auto always never') ;;
    redact:--output | redact:-o) source=(-W 'text json') ;;
    redact:--redact-rules) source=(-f) ;;
    errors:--dir) source=(-d) ;;
    errors:--output | errors:-o) source=(-W 'text json github junit') ;;
    show:--dir) source=(-d) ;;
    # end of generated
    esac
}

# Sets first to the index of the first operand of run, COMP_CWORD if it is yet to come.
_buildlog_first_operand()
{
    for ((first = 2; first < COMP_CWORD; first++)); do
        case ${COMP_WORDS[first]} in
        --)
            ((first++))
            return
            ;;
        -*) ;;
        *) return ;;
        esac
        # bash splits --dir=x into three words.
        if [[ ${COMP_WORDS[first + 1]} == '=' ]]; then
            ((first += 2))
        elif [[ $valued == *" ${COMP_WORDS[first]} "* ]]; then
            ((first++))
        fi
    done
}

_buildlog()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} options valued operands source first
    # generated: names
    local names='run ls info tail query redact redact-add errors show help'
    # end of generated

    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$names --help --version" -- "$cur")
        return
    fi
    _buildlog_table "$command"
    if [[ $operands == command ]]; then
        _buildlog_first_operand
        # From its first word on, the command completes as it would alone.
        if ((first < COMP_CWORD)); then
            if declare -F _command_offset >/dev/null; then
                _command_offset "$first"
            else
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            fi
            return
        fi
    fi
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if [[ $valued == *" $prev "* ]]; then
        _buildlog_source "$command" "$prev"
    elif [[ $cur == -* ]]; then
        source=(-W "$options")
    else
        case $operands in
        command) source=(-c) ;;
        file) source=(-f) ;;
        id) source=(-W 'last last-failed last-passed') ;;
        topic) source=(-W "$names") ;;
        *) return ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen "${source[@]}" -- "$cur" | sort -u)
}

complete -o filenames -F _buildlog buildlog
