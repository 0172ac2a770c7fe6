
 	
FROM   a   AS   b

  RUN	 x  
	COPY a  b	
