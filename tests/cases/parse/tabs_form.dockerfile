FROM	a
RUNx
