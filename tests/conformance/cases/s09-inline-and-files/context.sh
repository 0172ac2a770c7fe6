echo f > f; echo h > h; echo outer > g
