FROM a
ADD a <<
COPY 3<<- <<A b
A
COPY <<<x a <<-
