SELECT raw FROM dead_letters WHERE id = $1
