# escape=`
FROM a
COPY --form=b `
  --chwon=c `
  # note

  a b
