echo f > f; echo d > '$X'
