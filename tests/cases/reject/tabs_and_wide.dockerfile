FROM a
	RUN	--netwrok=none	漢字
ENV 漢字=1 é
