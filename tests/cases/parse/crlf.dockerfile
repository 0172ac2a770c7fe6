# escape=`
FROM a
RUN a `
  b
COPY <<E /x
line
E
USER u
