printf '\357\273\277a\r\nb/\r\n./c\r\n\r\nd//e\r\n' > .dockerignore; mkdir b d; touch a b/f c d/e d/f
