echo c > f
