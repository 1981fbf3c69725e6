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
        options='--id --dir --user --project --req-id --label --name --timeout --idle-timeout --stall-timeout --on-stall --grace --linger --forward --redact --redact-generic --redact-rules --add-mask --payload --tty --order --max-line --long-lines --frames --max-log --on-closed --require-log --sync --quiet -q --verbose -v --help -h'
        valued=' --id --dir --user --project --req-id --label --name --timeout --idle-timeout --stall-timeout --on-stall --grace --linger --forward --redact --redact-rules --payload --tty --order --max-line --long-lines --frames --max-log --on-closed --sync '
        operands='command'
        ;;
    ls)
        options='--dir --status --since --label --limit -n --output -o --color --verbose -v --json --help -h'
        valued=' --dir --status --since --label --limit -n --output -o --color '
        operands=''
        ;;
    info)
        options='--dir --output -o --color --verbose -v --json --help -h'
        valued=' --dir --output -o --color '
        operands='id'
        ;;
    tail)
        options='--dir --follow -f --lines -n --bytes --after-seq --src --level -l --grep -g --ignore-case -i --output -o --json --exit-status --color --verbose -v --help -h'
        valued=' --dir --lines -n --bytes --after-seq --src --level -l --grep -g --output -o --color '
        operands='id'
        ;;
    query)
        options='--dir --date --since --until --src --level -l --event --status --label --tool --session --word -k --grep -g --ignore-case -i --fuzzy --best --after-context -A --before-context -B --context -C --limit --reverse -r --count -c --output -o --color --verbose -v --json --help -h'
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
        options='--dir --verbose -v --json --output -o --help -h'
        valued=' --dir --output -o '
        operands='id'
        ;;
    show)
        options='--dir --verbose -v --seq --budget --help -h'
        valued=' --dir --seq --budget '
        operands='id'
        ;;
    stats)
        options='--dir --since --name --output -o --color --verbose -v --json --help -h'
        valued=' --dir --since --name --output -o --color '
        operands=''
        ;;
    verify)
        options='--dir --output -o --color --verbose -v --json --help -h'
        valued=' --dir --output -o --color '
        operands='id'
        ;;
    replay)
        options='--dir --color --speed --idle-limit --help -h'
        valued=' --dir --color --speed --idle-limit '
        operands='id'
        ;;
    export)
        options='--dir --output -o --size --help -h'
        valued=' --dir --output -o --size '
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
    run:--label) source=(labels) ;;
    run:--on-stall) source=(-W 'kill report') ;;
    run:--forward) source=(-W 'redacted raw none') ;;
    run:--redact) source=(-W 'on off') ;;
    run:--redact-rules) source=(-f) ;;
    run:--payload) source=(-W 'full none') ;;
    run:--tty) source=(-W 'auto always never') ;;
    run:--order) source=(-W 'arrival exact merge') ;;
    run:--long-lines) source=(-W 'truncate split') ;;
    run:--frames) source=(-W 'all last') ;;
    run:--on-closed) source=(-W 'continue stop') ;;
    run:--sync) source=(-W 'none end always') ;;
    ls:--dir) source=(-d) ;;
    ls:--status) source=(-W 'ok failed signaled timeout interrupted exec_failed running lost') ;;
    ls:--label) source=(labels) ;;
    ls:--output | ls:-o) source=(-W 'table json ids labels') ;;
    ls:--color) source=(-W 'auto always never') ;;
    info:--dir) source=(-d) ;;
    info:--output | info:-o) source=(-W 'text json') ;;
    info:--color) source=(-W 'auto always never') ;;
    tail:--dir) source=(-d) ;;
    tail:--src) source=(-W 'stdout stderr merged') ;;
    tail:--level | tail:-l) source=(-W 'trace debug info warn error fatal') ;;
    tail:--output | tail:-o) source=(-W 'pretty raw jsonl') ;;
    tail:--color) source=(-W 'auto always never') ;;
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
    stats:--dir) source=(-d) ;;
    stats:--output | stats:-o) source=(-W 'text json') ;;
    stats:--color) source=(-W 'auto always never') ;;
    verify:--dir) source=(-d) ;;
    verify:--output | verify:-o) source=(-W 'text json') ;;
    verify:--color) source=(-W 'auto always never') ;;
    replay:--dir) source=(-d) ;;
    replay:--color) source=(-W 'auto always never') ;;
    export:--dir) source=(-d) ;;
    export:--output | export:-o) source=(-W 'asciicast asciicast-v3 html text') ;;
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

# Sets word to the current one as it was typed, which bash splits at each '=', and begin to the
# index that it begins at.
_buildlog_word()
{
    begin=$COMP_CWORD word=${COMP_WORDS[COMP_CWORD]}
    while ((begin > 2)) && [[ ${COMP_WORDS[begin]} == '=' || ${COMP_WORDS[begin - 1]} == '=' ]]; do
        ((begin--))
        word=${COMP_WORDS[begin]}$word
    done
}

# What the store that the words name has to offer: _buildlog_ask ids|labels.
_buildlog_ask()
{
    local i dir=()

    for ((i = 2; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == --dir ]] || continue
        [[ ${COMP_WORDS[++i]} != '=' ]] || ((i++))
        dir=(--dir "${COMP_WORDS[i]}")
    done
    "${COMP_WORDS[0]}" ls -n 100 -o "$1" "${dir[@]}" 2>/dev/null
}

# Offers the lines of stdin that go on from value. Not by compgen -W, which would expand what the
# store says.
_buildlog_offer()
{
    local line sofar=$word before=''

    [[ -z $option ]] || sofar=$value
    # Only what follows the last '=' that was typed is replaced.
    [[ $sofar != *=* ]] || before=${sofar%=*}=
    while IFS= read -r line; do
        [[ $line != "$sofar"* ]] ||
            COMPREPLY+=("${line#"$before"}")
    done
}

_buildlog()
{
    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
    local options valued operands source first begin word option='' value=''
    # generated: names
    local names='run ls info tail query redact redact-add errors show stats verify replay export help'
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
    _buildlog_word
    if [[ $word == --*=* ]]; then
        option=${word%%=*} value=${word#*=}
    elif [[ $valued == *" ${COMP_WORDS[begin - 1]} "* ]]; then
        option=${COMP_WORDS[begin - 1]} value=$word
    fi
    if [[ -n $option ]]; then
        _buildlog_source "$command" "$option"
    elif [[ $cur == -* ]]; then
        source=(-W "$options")
    else
        case $operands in
        command) source=(-c) ;;
        file) source=(-f) ;;
        id)
            source=(-W 'last last-failed last-passed')
            _buildlog_offer < <(_buildlog_ask ids | cut -f 1)
            ;;
        topic) source=(-W "$names") ;;
        *) return ;;
        esac
    fi
    if [[ ${source[0]} == labels ]]; then
        _buildlog_offer < <(_buildlog_ask labels)
        return
    fi
    [[ $cur != '=' ]] || cur=''
    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen "${source[@]}" -- "$cur" | sort -u)
}

complete -o filenames -F _buildlog buildlog
