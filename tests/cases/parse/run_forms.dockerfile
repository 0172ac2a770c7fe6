FROM a
RUN echo "$x" 'y' \\ z
RUN ["a", "b c", "\u00e9\n"]
RUN [ "a" ]  
RUN [a, b]
RUN [ -f x ] && y
RUN ["a"] x
RUN ['a']
RUN [[ a ]]
RUN -- --not-a-flag
RUN --network=none -- [ "x" ]
