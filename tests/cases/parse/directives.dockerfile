# Syntax = docker/dockerfile:1.7 
#check=skip=all;error=true
#   ESCAPE=`
FROM a
RUN a `
 b
RUN c \
ENV a=`$x b="`""
