# hello

   # indented
FROM a
RUN echo a # b
#RUN x
RUN a # b \
  c
