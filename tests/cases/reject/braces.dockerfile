FROM a
ENV a=${b:0:2}
ENV a=${#b}
ENV a=${b[0]}
ENV a=${b/x}
ENV a=${b,,}
ENV a=${!b}
ENV a=${b@Q}
ENV a=${ b}
ENV a=${:-x}
ENV a=${b:#x}
