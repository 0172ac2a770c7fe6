# syntax=docker/dockerfile:1
# check=skip=StageNameCasing

# a word on the base
# check=skip=FromAsCasing
FROM a AS b
# check=skip=lost

RUN x
# Check = error=true;skip=all 
#check=skip=two
RUN y \
# check=skip=inside
  z
COPY <<E /x
# check=skip=body
E
ENV a=1
	# check=skip=tab
ONBUILD RUN w
# check=skip=end
