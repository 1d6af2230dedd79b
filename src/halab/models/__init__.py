"""Pure arithmetic: no I/O, no clock. Times are seconds, probabilities are fractions of one."""
