# Print what bash completes. Usage: complete.bash STARTUP_LINE WORD..., the last word is completed.
eval "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
definition=$(complete -p sceneset)
[[ $definition =~ -F\ ([^ ]+) ]] || exit 3
"${BASH_REMATCH[1]}" sceneset "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
