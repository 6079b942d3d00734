# SPDX-License-Identifier: MIT
# bash completion for hermit-run(1): options, their values, then PROGRAM and its own completion.
# To be installed as .../bash-completion/completions/hermit-run; needs package bash-completion.

# Prints the index of the word that is PROGRAM, or nothing while options are still being typed.
_hermit_run_program() {
    local i
    for ((i = 1; i < cword; i++)); do
        case ${words[i]} in
            --)
                ((i + 1 <= cword)) && printf '%s' $((i + 1))
                return
                ;;
            --cpus | --dns | --env | --env-file | --gateway | --ip | --mac | --memory | --net | \
                --net-allow | --net-block | --publish | --rewrite | --rootfs | --strace-output | \
                --strace-strings | --timeout | --vmm | --volume | --workdir)
                ((i++))
                ;;
            --*) ;;
            # A cluster whose last letter wants a value.
            -*[mewvp]) [[ ${words[i]} =~ ^-[qVh]*[mewvp]$ ]] && ((i++)) ;;
            -*) ;;
            *)
                printf '%s' "$i"
                return
                ;;
        esac
    done
}

_hermit_run_options='--memory --cpus --env --env-file --clear-env --workdir --volume --rootfs --vmm
    --net --publish --net-allow --net-block --ip --gateway --mac --dns --rewrite
    --strace --strace= --strace-output --strace-strings --strace-summary --strace-times
    --check --json --stats --timeout --quiet --verbose --version --no-aslr --help
    -m -e -w -v -p -q -V -h'

_hermit_run_reply() { mapfile -t COMPREPLY < <(compgen "$@"); }

# The value of the option $1, from what is typed so far.
_hermit_run_value() {
    case $1 in
        --net) _hermit_run_reply -W 'none user host tap:' -- "$cur" ;;
        -m | --memory) _hermit_run_reply -W '64M 256M 512M 1G 2G 4G' -- "$cur" ;;
        --cpus) _hermit_run_reply -W '1' -- "$cur" ;;
        --rewrite) _hermit_run_reply -W 'auto load lazy offline off' -- "$cur" ;;
        --vmm) _hermit_run_reply -W 'auto kvm qemu' -- "$cur" ;;
        --timeout) _hermit_run_reply -W '1s 10s 30s 1m 1h' -- "$cur" ;;
        -e | --env) _hermit_run_reply -e -- "$cur" ;;
        --env-file | --strace-output) _filedir ;;
        --strace-strings) _hermit_run_reply -W '32 256 1000' -- "$cur" ;;
        -w | --workdir | --rootfs) _filedir -d ;;
        -v | --volume)
            case $cur in
                *:*:*) _hermit_run_reply -P "${cur%:*}:" -W 'ro rw' -- "${cur##*:}" ;;
                *:*) _hermit_run_reply -P "${cur%:*}:" -W 'ro rw' -- "${cur#*:}" ;;
                *)
                    _filedir
                    compopt -o nospace
                    ;;
            esac
            __ltrim_colon_completions "$cur"
            ;;
        *) return 1 ;;
    esac
}

# Index in COMP_WORDS, where bash has split words at ':' and '=', of words[$1].
_hermit_run_raw_index() {
    local i raw=0 text
    for ((i = 0; i < $1; i++)); do
        text=${COMP_WORDS[raw++]}
        while [[ $text != "${words[i]}" ]] && ((raw < ${#COMP_WORDS[@]})); do
            text+=${COMP_WORDS[raw++]}
        done
    done
    printf '%s' "$raw"
}

_hermit_run() {
    local cur prev words cword split program
    _init_completion -s -n : || return
    program=$(_hermit_run_program)
    if [[ -n $program ]]; then
        if ((program < cword)); then
            _command_offset "$(_hermit_run_raw_index "$program")"
        else
            _hermit_run_command
        fi
        return
    fi
    _hermit_run_value "$prev" && return
    $split && return
    if [[ $cur == -* ]]; then
        _hermit_run_reply -W "$_hermit_run_options" -- "$cur"
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
        return
    fi
    _hermit_run_command
}

# PROGRAM: a command of PATH, or a file.
_hermit_run_command() {
    if [[ $cur == */* ]]; then
        _filedir
    else
        compopt -o filenames
        _hermit_run_reply -c -- "$cur"
    fi
}

complete -F _hermit_run hermit-run
