printf 'FROM localhost/base\nRUN echo a \\  \t\n\n  \n   > /x && \\\n\n echo b > /y\n'
