FROM a
ENV name="Jörg" 字=1
LABEL a=�
