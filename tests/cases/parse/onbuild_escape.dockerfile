# escape=`
FROM a
ONBUILD ENV a=b`
  c=d\ e
