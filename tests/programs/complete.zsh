# Print what zsh completes. Usage: complete.zsh STARTUP_LINE WORD..., the last word is completed.
#
# Completion works only in the line editor, so that an interactive zsh runs in a pseudo-terminal. Its
# compadd, the builtin that receives the matches, is replaced by a function that writes them to a file.
zmodload zsh/zpty || exit 3
folder=$(mktemp -d) || exit 3

cat > $folder/setup <<'SETUP'
PROMPT=
autoload -Uz compinit && compinit -u -D
eval "$startup_line"
bindkey '^I' complete-word
comppostfuncs=(exit)
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a matches
  builtin compadd -A matches "$@"
  print -rl -- $matches >> $folder/matches
  builtin compadd "$@"
}
print loaded
SETUP

export folder startup_line=$1
shift
zpty shell zsh -f -i
zpty -w shell "source $folder/setup"
zpty -r shell line '*loaded*' || exit 3
zpty -w -n shell "$*"$'\t'
while zpty -r shell line; do :; done
[[ ! -e $folder/matches ]] || cat $folder/matches
rm -rf $folder  # not in a trap: the shell in the pseudo-terminal would run it too
