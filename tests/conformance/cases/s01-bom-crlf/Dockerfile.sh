printf '\357\273\277FROM localhost/base\r\nENV A=1\r\nRUN echo a \\\r\n  b > /x\r\nCMD ["x"]\r\n'
