# Print what fish completes. Usage: complete.fish STARTUP_LINE WORD..., the last word is completed.
eval $argv[1]
complete --do-complete (string join ' ' -- $argv[2..]) | string replace --regex '\t.*' ''
