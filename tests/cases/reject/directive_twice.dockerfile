# syntax=a
# escape=`
# Syntax=b
FROM a
RUN a `
 b
