FROM a
RUN --network=bridge x
RUN --network=$N x
RUN --device=vendor.com/d=x y
