FROM a
RUN one\
two
RUN one \
  two \  	
  # comment \
	three
RUN a \\
RUN "\
   x"
RUN \
\
  late
FRO\
M b
