"""The commands of `halab`, a file a room. Heavy rooms are imported when a command runs: help stays quick."""
