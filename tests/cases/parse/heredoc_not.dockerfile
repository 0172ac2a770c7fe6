FROM a
RUN cat<<EOF
RUN cat <<<x
RUN echo "<<EOF"
RUN echo '<<EOF' <\<EOF
RUN echo $((1 << 2)) $((1 <<2)) $((x<<y))
RUN ["a", "<<EOF"]
CMD <<EOF
ENTRYPOINT cat <<EOF
LABEL a=<<EOF
RUN a << 2
RUN cat <<
