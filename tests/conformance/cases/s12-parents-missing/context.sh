mkdir x
