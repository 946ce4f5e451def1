# shellcheck shell=bash
# bash-completion reads this at the first completion of busbar; the command knows its own words.
eval "$(busbar completions bash)"
