FROM a
RUN --security=insecure x
RUN --security=sandbox x
RUN --network=bridge x
RUN --network=$N x
RUN --device=vendor.com/d=x y
RUN --mount=type=ssh x
RUN --mount=type=ssh,id=a,required x
