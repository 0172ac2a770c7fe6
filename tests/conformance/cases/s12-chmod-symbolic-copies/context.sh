echo f > f; chmod 640 f
