touch a.c b.c .h.c foo fbo fo ax bx cx zx '[x]'; mkdir d1 d2 d1/sub; touch d1/1.h d2/2.h d1/sub/3.h; echo s > d1/s
