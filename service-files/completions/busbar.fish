# The command knows its own words.
busbar completions fish | source
