# comment
# escape=`
FROM a
COPY a `
  b
