#compdef busbar
# The command knows its own words.
eval "$(busbar completions zsh)"
_busbar "$@"
