FROM a
RUN[31m x
ENV a=${bc}
RU‮N x
