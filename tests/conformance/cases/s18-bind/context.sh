echo ctx > f
