printf 'FROM localhost/base\nRUN echo end > /x \\'
