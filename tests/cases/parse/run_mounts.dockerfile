FROM a
RUN --mount=type=bind,source=a,target=/b,rw x
RUN --mount=target=/b,from=img,readonly=false x
RUN --mount=type=cache,id=i,dst=/c,sharing=locked,uid=1,gid=2,mode=0755,ro --mount=type=tmpfs,destination=/t,size=64m x
RUN --mount=type=secret,id=s,required,uid=10,mode=0400 --mount=type=secret,id=e,env=TOKEN x
RUN --mount=type=secret,target=/run/x x
RUN --mount="type=cache,target=/a b" --mount=type=cache,\"target=/a\,b\" x
RUN --mount=TYPE=Cache,Target=$T,mode=$M,uid=${U} x
RUN --mount=type=bind,target=/a,rw,ro x
RUN --mount=type=bind,target=/a,ro,rw=true x
