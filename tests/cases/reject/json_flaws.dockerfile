FROM a
SHELL ['/bin/sh', '-c']
SHELL ["/bin/sh", "-c",]
SHELL ["/bin/sh" "-c"]
SHELL ["c:\win"]
SHELL ["/bin/sh", "-c"
SHELL [“/bin/sh”]
SHELL ["a"] x
SHELL ["a]
