FROM ${a
FROM a${b:=c}
FROM --platform="$a a
