# Completion for bash (and for zsh after `autoload bashcompinit; bashcompinit`): programs, options and their values, as
# `convzoo PROGRAM --help=names` lists them; files otherwise.
_convzoo() {
    local word=${COMP_WORDS[COMP_CWORD]} names values IFS=$'\n'
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        names=$("${COMP_WORDS[0]}" --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  .*/\1/p')
        COMPREPLY=($(compgen -W "$names" -- "$word"))
        return
    fi
    names=$("${COMP_WORDS[0]}" "${COMP_WORDS[1]}" --help=names 2>/dev/null) || return
    local commands=$(printf '%s\n' "$names" | sed -n 's/^\([a-z][a-z-]*\)\t$/\1/p')
    if [ -n "$commands" ] && [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then
        COMPREPLY=($(compgen -W "$commands" -- "$word"))
        return
    elif [ -n "$commands" ] && [ "$COMP_CWORD" -gt 2 ]; then
        names=$("${COMP_WORDS[0]}" "${COMP_WORDS[1]}" "${COMP_WORDS[2]}" --help=names 2>/dev/null) || return
    fi
    local option=${COMP_WORDS[COMP_CWORD - 1]}
    if [ "$word" = = ]; then
        word=
    elif [ "$option" = = ]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    values=$(printf '%s\n' "$names" | sed -n "s/^$option=\t//p")
    if [ -n "$values" ]; then
        COMPREPLY=($(compgen -W "${values// /$'\n'}" -- "$word"))
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$(printf '%s\n' "$names" | cut -f1)" -- "$word"))
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
    else
        COMPREPLY=($(compgen -f -- "$word"))
    fi
}
complete -o filenames -F _convzoo convzoo
